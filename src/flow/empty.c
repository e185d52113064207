#include "base/result.h"
typedef int flow_room_is_not_empty;
