/** What every platform must do, as tests: each platform's own test file runs this suite, the fake one too. */
import { describe } from 'vitest'
import { type ConformanceOptions, createFixture } from './conformance/fixture.ts'
import { describeLife } from './conformance/life.conformance.ts'
import { describeStorage } from './conformance/storage.conformance.ts'
import { describeUse } from './conformance/use.conformance.ts'
import { describeWalls } from './conformance/walls.conformance.ts'
import { describeWays } from './conformance/ways.conformance.ts'

export type { Subject } from './conformance/fixture.ts'

export function describePlatform(name: string, options: ConformanceOptions): void {
  describe(`the ${name} platform`, { concurrent: options.concurrent }, () => {
    const fixture = createFixture(options)
    describeLife(fixture)
    describeWalls(fixture)
    describeWays(fixture)
    describeStorage(fixture)
    describeUse(fixture)
  })
}
