# SystemC 2.3.4 as Debian ships it: no CMake package, built as C++17. SC_CPLUSPLUS keeps its
# link-time version check valid for our C++20 objects.
find_package(PkgConfig REQUIRED)
pkg_check_modules(SystemC REQUIRED IMPORTED_TARGET systemc>=2.3.4)
add_library(trnsim_systemc INTERFACE)
target_link_libraries(trnsim_systemc INTERFACE PkgConfig::SystemC)
target_compile_definitions(trnsim_systemc INTERFACE SC_CPLUSPLUS=201703L)
target_compile_features(trnsim_systemc INTERFACE cxx_std_20)
