/**
 * Takes a text that an engine says again out of what it says, exactly so many characters, however they are cut into
 * pieces. Between two of its parts the engine may put line ends.
 */
export class PrefixStripper {
  readonly #parts: readonly string[];
  #part = 0;
  #at = 0;
  /** What was taken out so far, for the case that it was another text. */
  #taken = '';
  #state: 'repeats' | 'over' | 'differs' = 'repeats';

  constructor(parts: readonly string[]) {
    this.#parts = parts.filter((part) => part !== '');
    if (this.#parts.length === 0) this.#state = 'over';
  }

  /** Nothing more is to be taken out. */
  get isDone(): boolean {
    return this.#state !== 'repeats';
  }

  /** It was not the text that it should have been: all that was said has been given back. */
  get hasMismatch(): boolean {
    return this.#state === 'differs';
  }

  /** What the next piece says beyond the repeated text. */
  strip(piece: string): string {
    if (this.isDone) return piece;
    for (let i = 0; i < piece.length; i++) {
      if (!this.#matches(piece[i])) {
        this.#state = 'differs';
        return this.#taken + piece;
      }
      if (this.isDone) return piece.slice(i + 1);
    }
    this.#taken += piece;
    return '';
  }

  #matches(character: string | undefined): boolean {
    const part = this.#parts[this.#part] ?? '';
    if (character !== part[this.#at]) return character === '\n' && this.#at === 0 && this.#part > 0;
    this.#at += 1;
    if (this.#at === part.length) {
      this.#at = 0;
      this.#part += 1;
    }
    if (this.#part === this.#parts.length) this.#state = 'over';
    return true;
  }
}
