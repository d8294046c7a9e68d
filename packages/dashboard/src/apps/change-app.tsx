/** Who may use an app, and whether people are asked. */
import type { App } from '@kalnet/contracts/app'
import { useMutation } from '@tanstack/react-query'
import { useState } from 'react'
import { call, ROUTES } from '../api.ts'
import * as m from '../messages/index.ts'
import { queryClient } from '../queries.ts'
import { Button } from '../ui/button.tsx'
import { Switch } from '../ui/choice.tsx'
import { Dialog, DialogActions } from '../ui/dialog.tsx'
import { ErrorBox } from '../ui/parts.tsx'
import { toast } from '../ui/toast.ts'
import { Who } from './who.tsx'

export function ChangeApp({ app, onClose }: { app: App; onClose: () => void }) {
  const [allowed, setAllowed] = useState(app.allowed)
  const [trusted, setTrusted] = useState(app.trusted)
  const save = useMutation({
    mutationFn: () => call(ROUTES.apps.change, { params: { id: app.id }, body: { allowed, trusted } }),
    onSuccess: async () => {
      await queryClient.invalidateQueries({ queryKey: ['apps'] })
      toast({ tone: 'good', text: m.appSaved })
      onClose()
    },
  })
  return (
    <Dialog title={app.name} onClose={onClose}>
      {save.error && <ErrorBox problem={save.error} />}
      <Switch label={m.appTrusted} value={trusted} onChange={setTrusted} />
      <Who value={allowed} onChange={setAllowed} />
      <DialogActions>
        <Button onPress={onClose}>{m.cancel}</Button>
        <Button look="primary" isPending={save.isPending} onPress={() => save.mutate()}>
          {m.save}
        </Button>
      </DialogActions>
    </Dialog>
  )
}
