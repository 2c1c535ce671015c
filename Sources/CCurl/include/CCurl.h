// CCurl.h: the door to the system library.

#pragma once

#include <curl/curl.h>
