// Where the built-in kernels find the name of a core's generation.
#pragma once

#include "trnsim/spec/generation_name.h"
