/** The unit systemd gets: our words quoted its way, and nothing that would end a session with us. */
import { expect, test } from 'vitest'
import { unitText } from './at-boot.ts'

test('[CTL-1.at-boot] the unit starts the supervisor in the foreground and ends only it', () => {
  const text = unitText(['/opt/my kalnet/kalnet', 'up', '--foreground'], { KALNET_HOME: '/srv/100%' }, true)
  expect(text).toContain('ExecStart="/opt/my kalnet/kalnet" "up" "--foreground"')
  expect(text).toContain('Environment="KALNET_HOME=/srv/100%%"')
  expect(text).toContain('KillMode=process')
  expect(text).toContain('WantedBy=multi-user.target')
  expect(unitText(['x'], {}, false)).toContain('WantedBy=default.target')
})

test.each([
  ['a"b', '"a\\"b"'],
  ['a\\b', '"a\\\\b"'],
  ['a$b', '"a$$b"'],
])('the word %j cannot change the unit', (word, quoted) => {
  expect(unitText([word], {}, true)).toContain(`ExecStart=${quoted}`)
})
