# Warning set of every trnsim target; errors where TRNSIM_WERROR is on (CI).
add_library(trnsim_warnings INTERFACE)
target_compile_options(trnsim_warnings INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion -Wnon-virtual-dtor
  -Woverloaded-virtual -Wold-style-cast
  $<$<BOOL:${TRNSIM_WERROR}>:-Werror>)
