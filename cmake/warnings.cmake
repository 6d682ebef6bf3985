# Warning set of every trnsim target; errors where TRNSIM_WERROR is on (CI). -Wno-restrict: g++ 12
# reports plain std::string concatenation (GCC bug 105651).
add_library(trnsim_warnings INTERFACE)
target_compile_options(trnsim_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast
  -Wno-restrict
  $<$<BOOL:${TRNSIM_WERROR}>:-Werror>)
