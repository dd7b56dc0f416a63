/* The sample sensor: fills a filter table, runs it over a signal, prints its version and the checksum of the result. */
#include <stdint.h>

#ifndef VERSION
#error "VERSION is given by build.sh"
#endif
#ifndef GAIN
#define GAIN 3
#endif

#define USART1_SR (*(volatile uint32_t *)0x40013800u)
#define USART1_DR (*(volatile uint32_t *)0x40013804u)
#define TXE (1u << 7)

#include "tables.h"

static void put(char c) {
  while (!(USART1_SR & TXE)) {
  }
  USART1_DR = (uint8_t)c;
}

static void print(const char *text) {
  while (*text) put(*text++);
}

static void print_hex(uint32_t value) {
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[(value >> shift) & 15u]);
}

static uint32_t crc32(uint32_t crc, uint8_t byte) {
  crc ^= byte;
  for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320u & (0u - (crc & 1u)));
  return crc;
}

#if GAIN > 3
/* New in 1.1.0: readings outside the band are clamped. */
static int32_t clamp(int32_t value) {
  if (value > 30000) return 30000;
  if (value < -30000) return -30000;
  return value;
}
#else
#define clamp(value) (value)
#endif

static uint32_t measure(void) {
  uint32_t crc = 0xffffffffu;
  int32_t state = 0;
  for (unsigned i = 0; i < sizeof signal_table / sizeof signal_table[0]; i++) {
    state += clamp((signal_table[i] - state) * GAIN / 8);
    crc = crc32(crc, (uint8_t)(state ^ (state >> 8)));
  }
  return ~crc;
}

int main(void) {
  print("Slipway sample sensor\r\nversion " VERSION "\r\n");
  print("checksum ");
  print_hex(measure());
  print("\r\nready\r\n");
  for (;;) __asm volatile("wfi");
}

extern uint32_t stack_top, data_start, data_end, data_load, bss_start, bss_end;

void reset(void) {
  uint32_t *from = &data_load;
  for (uint32_t *to = &data_start; to < &data_end;) *to++ = *from++;
  for (uint32_t *to = &bss_start; to < &bss_end;) *to++ = 0;
  main();
}

static void fault(void) {
  for (;;) {
  }
}

__attribute__((section(".vectors"), used)) void *const vectors[16] = {
    &stack_top, reset, fault, fault, 0, 0, 0, 0, 0, 0, 0, fault, 0, 0, fault, fault,
};
