/** What the kernel writes about groups and processes, as tables. */
import { describe, expect, test } from 'vitest'
import { groupUse } from './cgroups.ts'
import { cpuSecondsOf, memoryOf } from './used.ts'

describe('[CTL-4.use] what the kernel counts of a group', () => {
  test.each([
    [
      'version 2',
      {
        memory: '1000\n',
        memoryStat: 'anon 5\ninactive_file 300\nfile 2\n',
        cpu: 'usage_usec 2500000\nuser_usec 1\n',
      },
      { memoryBytes: 700, cpuSeconds: 2.5 },
    ],
    [
      'version 1: with what is below it',
      { memory: '1000\n', memoryStat: 'inactive_file 1\ntotal_inactive_file 400\n', cpu: '1500000000\n' },
      { memoryBytes: 600, cpuSeconds: 1.5 },
    ],
    [
      'version 1, where processors are counted elsewhere',
      { memory: '1000\n', memoryStat: '', cpu: '' },
      { memoryBytes: 1000, cpuSeconds: null },
    ],
    ['nothing', { memory: '', memoryStat: '', cpu: '' }, { memoryBytes: null, cpuSeconds: null }],
    [
      'files that were just read',
      { memory: '100\n', memoryStat: 'inactive_file 300\n', cpu: '' },
      { memoryBytes: 0, cpuSeconds: null },
    ],
  ])('%s', (_, files, expected) => {
    expect(groupUse(files)).toEqual(expected)
  })
})

describe('[CTL-4.use] what it counts of a process', () => {
  test('its own time and that of children that it waited for, whatever its name is', () => {
    const fields = ['S', ...Array.from({ length: 10 }, () => '9'), '100', '50', '25', '25', '20', '0', '1']
    expect(cpuSecondsOf(`42 (a) b (c) ${fields.join(' ')}`)).toBe(2)
  })
  test.each([
    [
      'what is shared counts by its part',
      'Rss:  900 kB\nPss:   10 kB\nPss_Dirty: 3 kB\n',
      '100 50 3',
      10_240,
    ],
    ['where that may not be read, whole', null, '100 50 3 0 0 0 0', 50 * 4096],
    ['of a process of the kernel', '', '0 0 0', 0],
  ])('%s', (_, rollup, statm, expected) => {
    expect(memoryOf(rollup, statm)).toBe(expected)
  })
})
