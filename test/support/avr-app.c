// Prints its banner once on UART0 at 115200 baud and then idles.
#include <avr/io.h>
#include <avr/pgmspace.h>

static const char banner[] PROGMEM = "Slipway sample for AVR\r\nversion " VERSION "\r\n";
static const unsigned char filler[FILLER_BYTES] PROGMEM = {[0 ... FILLER_BYTES - 1] = 0xa5};

int main(void) {
  UCSR0A = _BV(U2X0);
  UBRR0L = 16;
  UCSR0C = _BV(UCSZ01) | _BV(UCSZ00);
  UCSR0B = _BV(TXEN0);
  for (const char *at = banner; pgm_read_byte(at); at++) {
    while (!(UCSR0A & _BV(UDRE0))) {
    }
    UDR0 = pgm_read_byte(at);
  }
  for (;;) (void)*(volatile const unsigned char *)filler;
}
