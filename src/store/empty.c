#include "base/result.h"
typedef int store_room_is_not_empty;
