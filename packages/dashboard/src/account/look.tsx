/** How Kalnet looks on this device. */
import { Monitor, Moon, Sun } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { chooseLook, type Look, readLook } from '../theme.ts'
import { Choice } from '../ui/choice.tsx'
import { Card } from '../ui/parts.tsx'

export function LookCard() {
  const [look, setLook] = useState<Look>(readLook)
  return (
    <Card label={m.meLook}>
      <Choice
        label={m.meLook}
        value={look}
        options={[
          { value: 'auto', label: m.lookAuto, icon: <Monitor aria-hidden /> },
          { value: 'light', label: m.lookLight, icon: <Sun aria-hidden /> },
          { value: 'dark', label: m.lookDark, icon: <Moon aria-hidden /> },
        ]}
        onChange={(next) => {
          setLook(next)
          chooseLook(next)
        }}
      />
    </Card>
  )
}
