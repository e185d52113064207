#include "base/result.h"
typedef int text_room_is_not_empty;
