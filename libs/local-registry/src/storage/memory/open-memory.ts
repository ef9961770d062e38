import type { Storage } from '../storage.js';
import { Budget } from './budget.js';
import { MemoryBlobs } from './memory-blobs.js';
import { MemoryRepositories } from './memory-repositories.js';
import { MemoryStaging } from './memory-staging.js';

/** An empty storage that holds at most `maxBytes`, and is gone with the process. */
export function openMemory(maxBytes: number): Storage {
  const budget = new Budget(maxBytes);
  const staging = new MemoryStaging(budget);
  return { blobs: new MemoryBlobs(budget, staging), repositories: new MemoryRepositories(budget), staging };
}
