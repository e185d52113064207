#include <stdio.h>

int main(void)
{
	puts("kezek-smsc " KEZEK_VERSION);
	return 0;
}
