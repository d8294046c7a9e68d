/** The page of trust begins with the device it is opened on. */
import { TRUST_DEVICES } from '@kalnet/contracts/certificate'
import { expect, test } from 'vitest'
import { DEVICES, deviceOf } from './devices.ts'

test.each([
  ['iphone', 'Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Safari', 5, 'ios'],
  ['ipad', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari', 5, 'ios'],
  ['mac', 'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) Safari', 0, 'macos'],
  ['android', 'Mozilla/5.0 (Linux; Android 16) Chrome', 5, 'android'],
  ['windows', 'Mozilla/5.0 (Windows NT 10.0; Win64) Chrome', 0, 'windows'],
  ['firefox', 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko Firefox/140.0', 0, 'firefox'],
  ['linux', 'Mozilla/5.0 (X11; Linux x86_64) Chrome', 0, 'linux'],
  ['tv', 'Mozilla/5.0 (SMART-TV; LINUX; Tizen 8.0) Chrome', 0, 'tv'],
])('[DSH-1.trust] %s', (_, agent, touch, device) => {
  expect(deviceOf(agent, touch)).toBe(device)
})
test('[DSH-1.trust] every device that the server speaks of has its words', () => {
  expect(DEVICES).toEqual(TRUST_DEVICES)
})
