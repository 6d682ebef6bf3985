# Installation: program, libraries, headers, configs, and a CMake package for find_package(trnsim).
include(CMakePackageConfigHelpers)

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/trnsim)
get_property(rooms GLOBAL PROPERTY TRNSIM_ROOMS)
# models is no room: its headers include SystemC and stay private, its archive is what sim links.
set_target_properties(trnsim_models PROPERTIES EXPORT_NAME models)
set_target_properties(trnsim_sc_main PROPERTIES EXPORT_NAME sc_main)

install(TARGETS ${rooms} trnsim_models EXPORT trnsim_targets
  ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR})
# One object file, not an archive member: libsystemc wants the symbol sc_main from the program.
install(TARGETS trnsim_sc_main EXPORT trnsim_targets
  OBJECTS DESTINATION ${CMAKE_INSTALL_LIBDIR}/trnsim)
install(DIRECTORY ${PROJECT_SOURCE_DIR}/include/trnsim DESTINATION ${CMAKE_INSTALL_INCLUDEDIR}
  FILES_MATCHING PATTERN "*.h")
install(DIRECTORY ${PROJECT_SOURCE_DIR}/configs ${PROJECT_SOURCE_DIR}/data DESTINATION ${CMAKE_INSTALL_DATADIR}/trnsim)
install(FILES ${PROJECT_SOURCE_DIR}/LICENSE ${PROJECT_SOURCE_DIR}/README.md
  DESTINATION ${CMAKE_INSTALL_DOCDIR})

install(EXPORT trnsim_targets NAMESPACE trnsim:: DESTINATION ${package_dir})
list(TRANSFORM rooms REPLACE "^trnsim_" "trnsim::" OUTPUT_VARIABLE TRNSIM_PACKAGE_ROOMS)
list(JOIN TRNSIM_PACKAGE_ROOMS " " TRNSIM_PACKAGE_ROOMS)
set(TRNSIM_INSTALLED_CONFIGS ${CMAKE_INSTALL_DATADIR}/trnsim/configs)
configure_package_config_file(
  ${CMAKE_CURRENT_LIST_DIR}/trnsim-config.cmake.in ${PROJECT_BINARY_DIR}/trnsim-config.cmake
  INSTALL_DESTINATION ${package_dir} PATH_VARS TRNSIM_INSTALLED_CONFIGS)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/trnsim-config-version.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/trnsim-config.cmake
  ${PROJECT_BINARY_DIR}/trnsim-config-version.cmake DESTINATION ${package_dir})
