/** Who decides something, and why. */
export interface Decision {
  /** Id of the principal. */
  readonly by: string;
  readonly reason?: string;
}
