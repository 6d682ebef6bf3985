# cmake -DFILE=f -DKEY=a.b.c -P json_get.cmake: prints the value; fails if the file is no JSON or lacks it.
file(READ "${FILE}" text)
string(REPLACE "." ";" path "${KEY}")
if(KEY MATCHES "#$")  # a.b.#: number of members
  list(POP_BACK path)
  string(JSON value LENGTH "${text}" ${path})
elseif(KEY MATCHES "[@]$")  # a.b.@: names of the members
  list(POP_BACK path)
  string(JSON count LENGTH "${text}" ${path})
  math(EXPR last "${count} - 1")
  foreach(i RANGE ${last})
    string(JSON member MEMBER "${text}" ${path} ${i})
    list(APPEND value ${member})
  endforeach()
  string(REPLACE ";" " " value "${value}")
else()
  string(JSON value GET "${text}" ${path})
endif()
message(STATUS "${value}")
