/** A new secret for a key; the old one may work on for a while, so that nothing stands still. */
import type { ServiceKey } from '@kalnet/contracts/key'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { Button } from '../ui/button.tsx'
import { Choice } from '../ui/choice.tsx'
import { Dialog, DialogActions, DialogText } from '../ui/dialog.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { lookAgain } from './queries.ts'
import { ShownOnce } from './shown-once.tsx'

const MINUTES = { none: 0, hour: 60, day: 24 * 60 } as const
type Overlap = keyof typeof MINUTES

export default function RotateKey({ of, onClose }: { of: ServiceKey; onClose: () => void }) {
  const [overlap, setOverlap] = useState<Overlap>('hour')
  const rotate = useMutation({
    mutationFn: () => {
      const route = of.userKind === 'service' ? ROUTES.keys.rotate : ROUTES.keys.rotateMine
      return call(route, { params: { id: of.id }, body: { overlapMinutes: MINUTES[overlap] } })
    },
    onSuccess: lookAgain,
  })
  if (rotate.data) return <ShownOnce name={of.name} token={rotate.data.token} onClose={onClose} />
  return (
    <Dialog title={m.keyRotateTitle(of.name)} onClose={onClose}>
      {rotate.error && <ErrorBox problem={rotate.error} />}
      <DialogText>{m.keyRotateText}</DialogText>
      <Choice
        label={m.keyRotateOverlap}
        value={overlap}
        options={[
          { value: 'none', label: m.keyOverlapNone },
          { value: 'hour', label: m.keyOverlapHour },
          { value: 'day', label: m.keyOverlapDay },
        ]}
        onChange={setOverlap}
      />
      <DialogActions>
        <Button onPress={onClose}>{m.cancel}</Button>
        <Button look="primary" isPending={rotate.isPending} onPress={() => rotate.mutate()}>
          {m.keyRotateAction}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
