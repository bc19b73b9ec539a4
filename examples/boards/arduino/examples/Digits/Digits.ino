// Digits: a handwritten seven, read row by row by a model in flash; open the serial monitor at 115200 baud.
#include <b2s6.h>

#include "digits_demo.h"

static void print(const char *line)
{
    Serial.println(line);
}

void setup()
{
    Serial.begin(115200);
    while (!Serial)
        ; // boards with their own USB: until somebody listens
    digits_demo(print);
}

void loop()
{
}
