// CPAM.h: the door to the system library.

#pragma once

#include <security/pam_appl.h>
