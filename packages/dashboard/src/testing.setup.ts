/** vitest's global set-up for pages: where the dashboard is built for all test files of a run, once in each mode that one of them asks for. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export default async function setUp(): Promise<() => Promise<void>> {
  const folder = await mkdtemp(join(tmpdir(), 'kalnet-dashboards-'))
  process.env.KALNET_TEST_DASHBOARDS = folder
  return async () => {
    delete process.env.KALNET_TEST_DASHBOARDS
    await rm(folder, { recursive: true, force: true })
  }
}
