// CFIDO.h: the door to the system library.

#pragma once

#include <fido.h>
