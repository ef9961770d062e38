/** The words of DESIGN's promotion states, for clients; the promotion library owns the rules behind them. */
export const promotionStateNames = [
  'requested',
  'waiting',
  'running',
  'succeeded',
  'partial',
  'failed',
  'rejected',
  'cancelled',
  'superseded',
] as const;
export const targetStateNames = ['pending', 'copying', 'verifying', 'attesting', 'tagging', 'done'] as const;
export const outcomeNames = ['copied', 'mounted', 'already-present', 'conflict', 'failed', 'superseded', 'cancelled'] as const;
