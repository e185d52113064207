#include <stdio.h>

int main(void)
{
	puts("kezekd " KEZEK_VERSION);
	return 0;
}
