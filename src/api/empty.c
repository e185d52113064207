#include "base/result.h"
typedef int api_room_is_not_empty;
