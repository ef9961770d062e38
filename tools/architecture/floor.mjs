/**
 * The least that must be seen of this repository. A tool that reads nothing finds no violation either;
 * raise the figures as the repository grows, and keep them just below what is seen.
 */
export const FLOOR = { modules: 540, dependencies: 1600 };
