#include "base/result.h"
typedef int smpp_room_is_not_empty;
