/** Pictures of what sleeps, of putting it to sleep, and of the question before it happens by itself. */
import type { Page } from 'playwright-core'
import { ASLEEP, LIVE, UNUSED } from './fixtures.ts'
import type { Shot } from './shots.ts'

const heading = (words: string) => (page: Page) =>
  page.getByRole('heading', { name: words }).first().waitFor()

export const SLEEP_SHOTS: Shot[] = [
  { name: 'asleep', world: 'usual', path: `/s/${ASLEEP.id}`, ready: heading('is sleeping') },
  {
    name: 'asleep-page',
    world: 'usual',
    path: `/sessions/${ASLEEP.id}`,
    widths: [390, 1440],
    ready: (page) => page.getByRole('button', { name: 'Wake up' }).waitFor(),
  },
  {
    name: 'asleep-ask',
    world: 'usual',
    path: `/sessions/${LIVE[0]?.id}`,
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByRole('button', { name: 'Put to sleep' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'asleep-delete',
    world: 'usual',
    path: `/sessions/${ASLEEP.id}`,
    widths: [390, 1440],
    ready: async (page) => {
      await page.getByRole('button', { name: 'Delete' }).click()
      await page.getByRole('dialog').waitFor()
    },
  },
  {
    name: 'idle',
    world: 'long',
    path: `/s/${UNUSED.id}`,
    ready: heading('Are you still there?'),
  },
]
