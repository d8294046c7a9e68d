/** The ledger holds in this very tree: nothing is claimed without a test, no test names what the ledger does not have. */
import { expect, test } from 'vitest'
import { ROOT } from '../tree.ts'
import { audit } from './audit.ts'

test('every claimed clause is named by a test, and every named clause is in the ledger', async () => {
  const { lines, problems } = await audit(ROOT)
  expect(problems).toEqual([])
  expect(lines.length).toBeGreaterThan(0)
})
