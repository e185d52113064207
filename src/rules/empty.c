#include "base/result.h"
typedef int rules_room_is_not_empty;
