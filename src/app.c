typedef int app_is_not_empty;
