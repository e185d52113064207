#include <stdio.h>

int main(void)
{
	puts("kezekctl " KEZEK_VERSION);
	return 0;
}
