import { describe, expect, it } from '@jest/globals';
import { secretCredentials } from './secret-credentials.js';

describe('credentials from a named secret', () => {
  function rotating() {
    const state = { password: 'old', now: 0, reads: 0 };
    const read = () => {
      state.reads += 1;
      return { username: 'ci', password: state.password };
    };
    return { state, provider: secretCredentials(read, { now: () => new Date(0), monotonic: () => state.now }) };
  }
  const basic = (password: string) => ({ credentials: { kind: 'basic', username: 'ci', password } });

  it('are read once a second, however often they are asked for', async () => {
    const { state, provider } = rotating();

    for (state.now = 0; state.now < 2_000; state.now += 100) await provider.get();

    expect(state.reads).toBe(2);
  });

  it('are the new ones a second after they were rotated', async () => {
    const { state, provider } = rotating();
    await provider.get();
    state.password = 'new';

    expect(await provider.get()).toEqual(basic('old'));
    state.now = 1_000;

    expect(await provider.get()).toEqual(basic('new'));
  });

  it('are the new ones at once when the old ones were refused', async () => {
    const { state, provider } = rotating();
    await provider.get();
    state.password = 'new';

    provider.forget();

    expect(await provider.get()).toEqual(basic('new'));
  });

  it('are missed again when they are asked for again', async () => {
    let reads = 0;
    const provider = secretCredentials(() => {
      reads += 1;
      throw new Error('not set');
    });

    await expect(provider.get()).rejects.toThrow('not set');
    await expect(provider.get()).rejects.toThrow('not set');
    expect(reads).toBe(2);
  });
});
