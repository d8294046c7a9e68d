/** What the house counts for a collector. */
import { sql } from '../core/store.ts'

export const statements = {
  /** `waiting`: nothing was heard of it yet. */
  instancesByState: () => sql<{ state: string; platform: string; instances: number }>`
    SELECT coalesce(observed->>'state', 'waiting') AS state, platform, count(*)::int AS instances
    FROM instances GROUP BY 1, 2`,
}
