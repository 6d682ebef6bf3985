// One child process at a time per caller: started, waited for, its output in files.
#pragma once

#include <string>
#include <vector>

namespace trnsim::study {

struct Command {
  std::vector<std::string> words;        // program (a path, or a name looked up in PATH) and arguments
  std::vector<std::string> environment;  // NAME=VALUE, beside or instead of this process's own
  std::string stdout_path;
  std::string stderr_path;
};

// Exit code, or 128 + signal. Throws Error if the program cannot be started.
[[nodiscard]] int run_child(const Command& command);

// As a shell takes it, for messages.
[[nodiscard]] std::string to_text(const Command& command);

}  // namespace trnsim::study
