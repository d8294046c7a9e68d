/** The test plan of the whole tree, in parts; which of them `kalnet test` runs side by side stands in packages/cli/src/suite/lanes.ts. */
import { availableParallelism } from 'node:os'
import { defineConfig } from 'vitest/config'

const ignored = ['**/node_modules/**', '**/dist/**', '.kalnet/**']
const whole = ['test/journeys/**/*.test.ts', 'test/faults/**/*.test.ts']
/** Everything that can be pressed. */
const pressed = ['test/journeys/{every-button*,account,people}.test.ts']
/** Pages in a browser, against stand-ins or the server alone, and real providers whose pages are in that browser. */
const pages = [
  'packages/dashboard/src/**/*.real.test.ts',
  'test/{apps,federation}/**/*.real.test.ts',
  'test/passkeys.real.test.ts',
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
          // On two cores one would be the usual, and it would go last in its lane, alone.
          maxWorkers: Math.max(2, availableParallelism() - 1),
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
          exclude: [...ignored, ...whole, ...pages],
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
      {
        test: {
          name: 'pages',
          globalSetup: [
            'packages/server/src/core/testing.setup.ts',
            'packages/dashboard/src/testing.setup.ts',
          ],
          include: pages,
          exclude: ignored,
          expect: expectations,
          testTimeout: 300_000,
          hookTimeout: 600_000,
          fileParallelism: false,
          sequence: { groupOrder: 4 },
        },
      },
    ],
  },
})
