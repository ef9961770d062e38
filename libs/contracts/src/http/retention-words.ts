/** Words of retention, for clients; the API’s tests hold them against the rules. */
export const retentionRunStateNames = [
  'planning',
  'planned',
  'waiting-approval',
  'marking',
  'grace',
  'deleting',
  'succeeded',
  'partial',
  'failed',
  'cancelled',
] as const;

export const markStateNames = ['marked', 'deleting', 'deleted', 'spared', 'failed', 'restored'] as const;
export const verdictNames = ['keep', 'delete', 'archive', 'untag'] as const;
export const holdScopeNames = ['digest', 'tag', 'repository'] as const;
