interface Waiting {
  readonly weight: number;
  readonly go: () => void;
}

/** So many units at a time; work that needs more than are free waits in line. */
export class Slots {
  readonly #total: number;
  #free: number;
  readonly #line: Waiting[] = [];

  constructor(total: number) {
    this.#total = total;
    this.#free = total;
  }

  /** Runs `work` while holding `weight` units; more than there are counts as all of them. */
  async hold<T>(weight: number, work: () => Promise<T>): Promise<T> {
    const held = Math.min(weight, this.#total);
    if (this.#line.length > 0 || held > this.#free)
      await new Promise<void>((go) => this.#line.push({ weight: held, go }));
    else this.#free -= held;
    try {
      return await work();
    } finally {
      this.#free += held;
      this.#admit();
    }
  }

  #admit(): void {
    for (let next = this.#line[0]; next && next.weight <= this.#free; next = this.#line[0]) {
      this.#line.shift();
      this.#free -= next.weight;
      next.go();
    }
  }
}
