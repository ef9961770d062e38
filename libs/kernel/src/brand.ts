/** A `T` that was checked once and carries the proof in its type. Nothing of it exists at run time. */
export type Brand<T, Name extends string> = T & { readonly __brand: Name };
