/** Words and shares from what the builder prints. */
import { expect, test } from 'vitest'
import { type BuildProgress, followBuild } from './progress.ts'

const PRINTED = [
  'I: running apt-get update...',
  'Get:1 http://mirror.example/debian bookworm InRelease [151 kB]',
  'I: downloading packages with apt...',
  '0 upgraded, 2 newly installed, 0 to remove and 0 not upgraded.',
  'Get:1 http://mirror.example/debian bookworm/main amd64 gcc-12-base amd64 12.2.0 [37.6 kB]',
  'Get:2 http://mirror.example/debian bookworm/main amd64 libc6 amd64 2.36-9 [2,759 kB]',
  'I: extracting archives...',
  'Unpacking gcc-12-base (12.2.0) ...',
  'Unpacking libc6 (2.36-9) ...',
  'something nobody knows',
  'Setting up gcc-12-base (12.2.0) ...',
  'Setting up libc6 (2.36-9) ...',
  'I: cleaning package lists and apt cache...',
]

test('[TPL-4.progress] a build tells what it does and how far it is, never going back', () => {
  const told: BuildProgress[] = []
  const take = followBuild('terminal', (it) => told.push(it))
  for (const line of PRINTED) take(line)
  expect(told.map(({ text, share }) => `${Math.round(share * 100)} ${text}`)).toEqual([
    '2 Asking Debian what terminal needs',
    '22 Fetching packages for terminal',
    '40 Fetching packages for terminal',
    '40 Unpacking terminal',
    '53 Unpacking terminal',
    '65 Unpacking terminal',
    '78 Setting up terminal',
    '90 Setting up terminal',
    '92 Finishing terminal',
  ])
})
