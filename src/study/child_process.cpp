// posix_spawn: safe with other threads running, and no shell sees the arguments.
#include "child_process.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "trnsim/base/error.h"

namespace trnsim::study {
namespace {

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) {
    result.push_back(text.data());
  }
  result.push_back(nullptr);
  return result;
}

// This process's variables, except those that `own` sets.
std::vector<std::string> merged_environment(const std::vector<std::string>& own) {
  std::vector<std::string> result = own;
  for (char** variable = environ; *variable != nullptr; ++variable) {
    const std::string text = *variable;
    const std::string name = text.substr(0, text.find('=') + 1);
    bool replaced = false;
    for (const std::string& other : own) {
      replaced = replaced || other.starts_with(name);
    }
    if (!replaced) {
      result.push_back(text);
    }
  }
  return result;
}

class FileActions {
 public:
  FileActions() { ::posix_spawn_file_actions_init(&actions_); }
  ~FileActions() { ::posix_spawn_file_actions_destroy(&actions_); }
  FileActions(const FileActions&) = delete;
  FileActions& operator=(const FileActions&) = delete;

  void open(int descriptor, const std::string& path, int flags) {
    constexpr mode_t kMode = 0644;
    ::posix_spawn_file_actions_addopen(&actions_, descriptor, path.c_str(), flags, kMode);
  }
  [[nodiscard]] const posix_spawn_file_actions_t* get() const { return &actions_; }

 private:
  posix_spawn_file_actions_t actions_{};
};

}  // namespace

int run_child(const Command& command) {
  std::vector<std::string> words = command.words;
  std::vector<std::string> environment = merged_environment(command.environment);
  FileActions actions;
  actions.open(STDIN_FILENO, "/dev/null", O_RDONLY);
  actions.open(STDOUT_FILENO, command.stdout_path, O_WRONLY | O_CREAT | O_TRUNC);
  actions.open(STDERR_FILENO, command.stderr_path, O_WRONLY | O_CREAT | O_TRUNC);
  pid_t child = 0;
  const int code = ::posix_spawnp(&child, words.front().c_str(), actions.get(), nullptr,
                                  pointers(words).data(), pointers(environment).data());
  if (code != 0) {
    throw Error(fmt::format("cannot start: {}", std::strerror(code)), {words.front()});
  }
  int status = 0;
  while (::waitpid(child, &status, 0) < 0) {
    TRNSIM_CHECK(errno == EINTR, "waitpid: {}", std::strerror(errno));
  }
  constexpr int kSignalBase = 128;
  return WIFEXITED(status) ? WEXITSTATUS(status) : kSignalBase + WTERMSIG(status);
}

std::string to_text(const Command& command) {
  constexpr const char* kPlain =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_=+./:,@%";
  std::string text;
  for (const std::string& word : command.words) {
    const bool plain = !word.empty() && word.find_first_not_of(kPlain) == std::string::npos;
    text += (text.empty() ? "" : " ") + (plain ? word : "'" + word + "'");
  }
  return text;
}

}  // namespace trnsim::study
