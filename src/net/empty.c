#include "base/result.h"
typedef int net_room_is_not_empty;
