/**
 * Sets of the characters that repository names and tags are made of
 * (distribution-spec v1.1.1, "Pulling manifests"), as bits of one number.
 * The order of the alphabet is the order in which examples are spelled.
 */
export type CharacterSet = bigint;

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789-._ABCDEFGHIJKLMNOPQRSTUVWXYZ/';
const bits = new Map(Array.from(alphabet, (character, index) => [character, 1n << BigInt(index)]));
const characters = new Map(Array.from(bits, ([character, bit]) => [bit, character]));

export const noCharacter: CharacterSet = 0n;
export const lowerAlphanumeric = setOf('abcdefghijklmnopqrstuvwxyz0123456789');
export const repositoryCharacters = lowerAlphanumeric | setOf('-._');
export const tagCharacters = repositoryCharacters | setOf('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
export const slash = setOf('/');

/** Characters outside the alphabet are left out. */
export function setOf(characters: string): CharacterSet {
  return Array.from(characters).reduce((set, character) => set | (bits.get(character) ?? noCharacter), noCharacter);
}

/** All characters of the alphabet between two, by code point, both included. */
export function rangeOf(first: string, last: string): CharacterSet {
  return setOf(
    Array.from(alphabet)
      .filter((character) => character >= first && character <= last)
      .join(''),
  );
}

/** The first character of the set in the alphabet's order; undefined when it is empty. */
export function firstOf(set: CharacterSet): string | undefined {
  return characters.get(set & -set);
}
