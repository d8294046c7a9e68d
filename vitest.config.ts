/** The test plan of the whole tree: tables anywhere, real parts, then journeys and faults one after the other. */
import { defineConfig } from 'vitest/config'

const ignored = ['**/node_modules/**', '**/dist/**', '.kalnet/**']
const whole = ['test/journeys/**/*.test.ts', 'test/faults/**/*.test.ts']
/** They wait for a browser most of their time: `kalnet test` runs them beside all others. */
const pressed = [
  'test/journeys/{every-button*,account,people}.test.ts',
  'packages/dashboard/src/screens.real.test.ts',
]

/**
 * `expect.poll` gives up after one second when nothing is said: too near on two busy cores. What is waited for comes as soon as it is so;
 * the limit only says when to stop.
 */
const expectations = { poll: { timeout: 30_000, interval: 50 } }

export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'fast',
          globalSetup: ['packages/server/src/core/testing.setup.ts'],
          include: [
            '*.test.ts',
            'packages/*/src/**/*.test.{ts,tsx}',
            'catalog/**/*.test.ts',
            'test/**/*.test.ts',
          ],
          exclude: [...ignored, ...whole, '**/*.real.test.ts'],
          expect: expectations,
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: 'real',
          globalSetup: ['packages/server/src/core/testing.setup.ts'],
          include: ['packages/*/src/**/*.real.test.ts', 'test/**/*.real.test.ts'],
          exclude: [...ignored, ...whole, ...pressed],
          expect: expectations,
          testTimeout: 120_000,
          hookTimeout: 300_000,
          // Real programs share two cores and one engine: files run one after the other.
          fileParallelism: false,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'whole',
          globalSetup: ['packages/server/src/core/testing.setup.ts'],
          include: whole,
          exclude: [...ignored, ...pressed],
          expect: expectations,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          name: 'pressed',
          globalSetup: ['packages/server/src/core/testing.setup.ts'],
          include: pressed,
          exclude: ignored,
          expect: expectations,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
