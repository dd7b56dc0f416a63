/** Memory of the core: little-endian bytes from `start`. */
export interface MemoryRegion {
  readonly start: number;
  readonly bytes: Uint8Array;
  readonly isWritable: boolean;
}

/** What the core is connected to. */
export interface CoreBus {
  readonly regions: readonly MemoryRegion[];
  /** Reads a word of the peripheral area (0x4000_0000 and above). */
  readDevice(address: number): number;
  writeDevice(address: number, value: number): void;
}

/** Thrown inside the core; on silicon this is a HardFault. */
class Fault extends Error {}

const peripheralStart = 0x40000000;

/** An ARMv6-M core (Thumb, ARM DDI 0419): enough to run Cortex-M0 firmware without interrupts. */
export class Armv6m {
  readonly registers = new Int32Array(16);
  #n = false;
  #z = false;
  #c = false;
  #v = false;
  readonly #bus: CoreBus;

  constructor(bus: CoreBus) {
    this.#bus = bus;
  }

  /** Loads stack pointer and program counter from the vector table. */
  reset(vectorTable: number): void {
    this.registers.fill(0);
    try {
      this.#set(13, this.#load(vectorTable, 4));
      this.#set(15, this.#load(vectorTable + 4, 4) & ~1);
    } catch {
      this.#set(15, 0xfffffffe);
    }
  }

  /** Runs up to `steps` instructions; false when the core faulted or waits for an interrupt that never comes. */
  run(steps: number): boolean {
    try {
      for (let i = 0; i < steps; i++) if (!this.#step()) return false;
      return true;
    } catch (error) {
      if (error instanceof Fault) return false;
      throw error;
    }
  }

  #get(index: number): number {
    return index === 15 ? ((this.registers[15] ?? 0) + 2) | 0 : (this.registers[index] ?? 0);
  }

  #set(index: number, value: number): void {
    this.registers[index] = index === 15 || index === 13 ? value & ~(index === 15 ? 1 : 3) : value;
  }

  #region(address: number, size: number): MemoryRegion {
    const at = address >>> 0;
    if (at % size !== 0) throw new Fault('unaligned');
    const region = this.#bus.regions.find(
      (candidate) => at >= candidate.start && at + size <= candidate.start + candidate.bytes.length,
    );
    if (!region) throw new Fault('bus');
    return region;
  }

  #load(address: number, size: 1 | 2 | 4): number {
    if (address >>> 0 >= peripheralStart) return this.#bus.readDevice(address >>> 0);
    const { start, bytes } = this.#region(address, size);
    let value = 0;
    for (let i = size - 1; i >= 0; i--)
      value = (value << 8) | (bytes[(address >>> 0) - start + i] ?? 0);
    return value;
  }

  #store(address: number, size: 1 | 2 | 4, value: number): void {
    if (address >>> 0 >= peripheralStart) return this.#bus.writeDevice(address >>> 0, value);
    const { start, bytes, isWritable } = this.#region(address, size);
    if (!isWritable) throw new Fault('write to flash');
    for (let i = 0; i < size; i++) bytes[(address >>> 0) - start + i] = value >> (8 * i);
  }

  #flags(value: number): number {
    this.#n = value < 0;
    this.#z = value === 0;
    return value;
  }

  #add(a: number, b: number, carry: number): number {
    const wide = (a >>> 0) + (b >>> 0) + carry;
    const value = wide | 0;
    this.#c = wide > 0xffffffff;
    this.#v = ((a ^ value) & (b ^ value)) < 0;
    return this.#flags(value);
  }

  #shift(kind: number, value: number, amount: number): number {
    if (amount === 0) return this.#flags(value);
    let result: number;
    if (kind === 0) {
      this.#c = amount <= 32 && ((amount === 32 ? value : value >>> (32 - amount)) & 1) === 1;
      result = amount < 32 ? value << amount : 0;
    } else if (kind === 1) {
      this.#c = amount <= 32 && ((value >>> (amount - 1)) & 1) === 1;
      result = amount < 32 ? value >>> amount : 0;
    } else if (kind === 2) {
      const by = Math.min(amount, 32);
      this.#c = ((value >> Math.min(by - 1, 31)) & 1) === 1;
      result = value >> Math.min(by, 31);
    } else {
      const by = amount & 31;
      result = by === 0 ? value : (value >>> by) | (value << (32 - by));
      this.#c = result < 0;
    }
    return this.#flags(result | 0);
  }

  #condition(code: number): boolean {
    const base =
      [
        this.#z,
        this.#c,
        this.#n,
        this.#v,
        this.#c && !this.#z,
        this.#n === this.#v,
        this.#n === this.#v && !this.#z,
      ][code >> 1] ?? true;
    return (code & 1) === 1 ? !base : base;
  }

  #step(): boolean {
    const pc = this.registers[15] ?? 0;
    const op = this.#load(pc, 2);
    this.registers[15] = pc + 2;
    const low = op & 7;
    const mid = (op >> 3) & 7;
    const high = (op >> 6) & 7;
    const imm5 = (op >> 6) & 31;
    const imm8 = op & 255;
    const rd8 = (op >> 8) & 7;
    switch (op >> 11) {
      case 0:
      case 1:
      case 2: {
        const kind = op >> 11;
        this.#set(low, this.#shift(kind, this.#get(mid), imm5 === 0 && kind > 0 ? 32 : imm5));
        return true;
      }
      case 3: {
        const operand = op & 0x400 ? high : this.#get(high);
        this.#set(
          low,
          op & 0x200
            ? this.#add(this.#get(mid), ~operand, 1)
            : this.#add(this.#get(mid), operand, 0),
        );
        return true;
      }
      case 4:
        this.#set(rd8, this.#flags(imm8));
        return true;
      case 5:
        this.#add(this.#get(rd8), ~imm8, 1);
        return true;
      case 6:
        this.#set(rd8, this.#add(this.#get(rd8), imm8, 0));
        return true;
      case 7:
        this.#set(rd8, this.#add(this.#get(rd8), ~imm8, 1));
        return true;
      case 8:
        return op & 0x400 ? this.#highRegister(op) : this.#dataProcessing(op);
      case 9:
        this.#set(rd8, this.#load(((this.#get(15) & ~3) + imm8 * 4) | 0, 4));
        return true;
      case 10:
      case 11:
        this.#registerOffset(op);
        return true;
      case 12:
        this.#store(this.#get(mid) + imm5 * 4, 4, this.#get(low));
        return true;
      case 13:
        this.#set(low, this.#load(this.#get(mid) + imm5 * 4, 4));
        return true;
      case 14:
        this.#store(this.#get(mid) + imm5, 1, this.#get(low));
        return true;
      case 15:
        this.#set(low, this.#load(this.#get(mid) + imm5, 1) & 0xff);
        return true;
      case 16:
        this.#store(this.#get(mid) + imm5 * 2, 2, this.#get(low));
        return true;
      case 17:
        this.#set(low, this.#load(this.#get(mid) + imm5 * 2, 2) & 0xffff);
        return true;
      case 18:
        this.#store(this.#get(13) + imm8 * 4, 4, this.#get(rd8));
        return true;
      case 19:
        this.#set(rd8, this.#load(this.#get(13) + imm8 * 4, 4));
        return true;
      case 20:
        this.#set(rd8, (this.#get(15) & ~3) + imm8 * 4);
        return true;
      case 21:
        this.#set(rd8, this.#get(13) + imm8 * 4);
        return true;
      case 22:
      case 23:
        return this.#miscellaneous(op);
      case 24: {
        let address = this.#get(rd8);
        for (let i = 0; i < 8; i++) {
          if (!(imm8 & (1 << i))) continue;
          this.#store(address, 4, this.#get(i));
          address += 4;
        }
        this.#set(rd8, address);
        return true;
      }
      case 25: {
        let address = this.#get(rd8);
        for (let i = 0; i < 8; i++) {
          if (!(imm8 & (1 << i))) continue;
          this.#set(i, this.#load(address, 4));
          address += 4;
        }
        if (!(imm8 & (1 << rd8))) this.#set(rd8, address);
        return true;
      }
      case 26:
      case 27: {
        const code = (op >> 8) & 15;
        if (code >= 14) throw new Fault('undefined or SVC');
        if (this.#condition(code)) this.#set(15, this.#get(15) + ((imm8 << 24) >> 23));
        return true;
      }
      case 28:
        this.#set(15, this.#get(15) + ((op << 21) >> 20));
        return true;
      case 30:
        return this.#wide(op, pc);
      default:
        throw new Fault('undefined');
    }
  }

  #dataProcessing(op: number): boolean {
    const rd = op & 7;
    const a = this.#get(rd);
    const b = this.#get((op >> 3) & 7);
    const carry = this.#c ? 1 : 0;
    const write = (value: number): void => this.#set(rd, value);
    switch ((op >> 6) & 15) {
      case 0:
        write(this.#flags(a & b));
        break;
      case 1:
        write(this.#flags(a ^ b));
        break;
      case 2:
        write(this.#shift(0, a, b & 0xff));
        break;
      case 3:
        write(this.#shift(1, a, b & 0xff));
        break;
      case 4:
        write(this.#shift(2, a, b & 0xff));
        break;
      case 5:
        write(this.#add(a, b, carry));
        break;
      case 6:
        write(this.#add(a, ~b, carry));
        break;
      case 7:
        write(this.#shift(3, a, b & 0xff));
        break;
      case 8:
        this.#flags(a & b);
        break;
      case 9:
        write(this.#add(0, ~b, 1));
        break;
      case 10:
        this.#add(a, ~b, 1);
        break;
      case 11:
        this.#add(a, b, 0);
        break;
      case 12:
        write(this.#flags(a | b));
        break;
      case 13:
        write(this.#flags(Math.imul(a, b)));
        break;
      case 14:
        write(this.#flags(a & ~b));
        break;
      default:
        write(this.#flags(~b));
    }
    return true;
  }

  #highRegister(op: number): boolean {
    const rd = (op & 7) | ((op >> 4) & 8);
    const value = this.#get((op >> 3) & 15);
    const kind = (op >> 8) & 3;
    if (kind === 0) this.#set(rd, (this.#get(rd) + value) | 0);
    else if (kind === 1) this.#add(this.#get(rd), ~value, 1);
    else if (kind === 2) this.#set(rd, value);
    else {
      const next = this.registers[15] ?? 0;
      if ((value & 1) === 0) throw new Fault('ARM state');
      this.#set(15, value);
      if (op & 0x80) this.#set(14, next | 1);
    }
    return true;
  }

  #registerOffset(op: number): void {
    const rt = op & 7;
    const address = (this.#get((op >> 3) & 7) + this.#get((op >> 6) & 7)) | 0;
    switch ((op >> 9) & 7) {
      case 0:
        return this.#store(address, 4, this.#get(rt));
      case 1:
        return this.#store(address, 2, this.#get(rt));
      case 2:
        return this.#store(address, 1, this.#get(rt));
      case 3:
        return this.#set(rt, (this.#load(address, 1) << 24) >> 24);
      case 4:
        return this.#set(rt, this.#load(address, 4));
      case 5:
        return this.#set(rt, this.#load(address, 2) & 0xffff);
      case 6:
        return this.#set(rt, this.#load(address, 1) & 0xff);
      default:
        return this.#set(rt, (this.#load(address, 2) << 16) >> 16);
    }
  }

  #miscellaneous(op: number): boolean {
    const rd = op & 7;
    const value = this.#get((op >> 3) & 7);
    if ((op & 0xff00) === 0xb000) {
      const offset = (op & 127) * 4;
      this.#set(13, this.#get(13) + (op & 128 ? -offset : offset));
    } else if ((op & 0xff00) === 0xb200) {
      const shift = [16, 24, 16, 24][(op >> 6) & 3] ?? 16;
      this.#set(rd, op & 0x80 ? (value << shift) >>> shift : (value << shift) >> shift);
    } else if ((op & 0xfe00) === 0xb400) {
      const list = [0, 1, 2, 3, 4, 5, 6, 7, ...(op & 0x100 ? [14] : [])].filter(
        (index) => index === 14 || op & (1 << index),
      );
      let address = this.#get(13) - list.length * 4;
      this.#set(13, address);
      for (const index of list) {
        this.#store(address, 4, this.#get(index));
        address += 4;
      }
    } else if ((op & 0xfe00) === 0xbc00) {
      const list = [0, 1, 2, 3, 4, 5, 6, 7, ...(op & 0x100 ? [15] : [])].filter(
        (index) => index === 15 || op & (1 << index),
      );
      let address = this.#get(13);
      for (const index of list) {
        this.#set(index, this.#load(address, 4));
        address += 4;
      }
      this.#set(13, address);
    } else if ((op & 0xff00) === 0xba00) {
      const [a, b, c, d] = [
        value & 0xff,
        (value >> 8) & 0xff,
        (value >> 16) & 0xff,
        (value >> 24) & 0xff,
      ] as [number, number, number, number];
      const kind = (op >> 6) & 3;
      this.#set(
        rd,
        kind === 0
          ? (a << 24) | (b << 16) | (c << 8) | d
          : kind === 1
            ? (c << 24) | (d << 16) | (a << 8) | b
            : (((a << 8) | b) << 16) >> 16,
      );
    } else if ((op & 0xff0f) === 0xbf00) {
      // WFI and WFE: no interrupt will ever come.
      return op !== 0xbf30 && op !== 0xbf20;
    } else if ((op & 0xffe8) !== 0xb660) {
      throw new Fault('undefined or BKPT');
    }
    return true;
  }

  /** 32-bit encodings of ARMv6-M: BL; barriers and MSR/MRS have no effect here. */
  #wide(op: number, pc: number): boolean {
    const second = this.#load(pc + 2, 2);
    this.registers[15] = pc + 4;
    if ((second & 0xd000) !== 0xd000) return true;
    const s = (op >> 10) & 1;
    const i1 = ~(((second >> 13) & 1) ^ s) & 1;
    const i2 = ~(((second >> 11) & 1) ^ s) & 1;
    const offset =
      (((s << 24) | (i1 << 23) | (i2 << 22) | ((op & 0x3ff) << 12) | ((second & 0x7ff) << 1)) <<
        7) >>
      7;
    this.#set(14, (pc + 4) | 1);
    this.#set(15, pc + 4 + offset);
    return true;
  }
}
