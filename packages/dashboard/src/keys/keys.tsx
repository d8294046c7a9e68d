/** Keys: what programs come in with, one's own and those of programs that belong to nobody. */
import { Plus } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { may, useMe } from '../queries.ts'
import { Frame } from '../settings/frame.tsx'
import { Button } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { MyKeys } from './list.tsx'
import { Programs } from './programs.tsx'

const MakeKey = later(() => import('./make.tsx'))

export default function KeysPage() {
  const me = useMe()
  const [making, setMaking] = useState(false)
  const make = (
    <Button look="primary" icon={<Plus aria-hidden />} onPress={() => setMaking(true)}>
      {m.keyMake}
    </Button>
  )
  return (
    <Frame here="keys" title={m.settingsKeys} text={m.keysText} action={make}>
      <MyKeys make={make} />
      {may(me, 'key.manage') && <Programs />}
      {making && <MakeKey onClose={() => setMaking(false)} />}
    </Frame>
  )
}
