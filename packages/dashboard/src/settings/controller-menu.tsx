/** What may be done to a machine, behind one button, and the dialogs it opens. */
import type { Controller } from '@kalnet/contracts/controller'
import { CirclePause, CirclePlay, Ellipsis, LogOut, Tag, Unplug } from 'lucide-react'
import { useState } from 'react'
import * as m from '../messages/index.ts'
import { IconButton } from '../ui/button.tsx'
import { later } from '../ui/later.tsx'
import { Menu } from '../ui/menu.tsx'
import { cordon } from './controller-actions.ts'

const DIALOGS = {
  drain: later(() => import('./drain.tsx')),
  labels: later(() => import('./labels.tsx')),
  revoke: later(() => import('./revoke.tsx')),
}

export function ControllerMenu({ controller }: { controller: Controller }) {
  const [open, setOpen] = useState<keyof typeof DIALOGS | null>(null)
  const Opened = open && DIALOGS[open]
  const { cordoned } = controller
  return (
    <>
      <Menu
        label={m.controllerMenu(controller.name)}
        trigger={
          <IconButton label={m.controllerMenu(controller.name)}>
            <Ellipsis aria-hidden />
          </IconButton>
        }
        actions={[
          {
            id: 'cordon',
            label: cordoned ? m.controllerUncordon : m.controllerCordon,
            icon: cordoned ? <CirclePlay aria-hidden /> : <CirclePause aria-hidden />,
            onAction: () => cordon(controller, !cordoned),
          },
          {
            id: 'drain',
            label: m.controllerDrain,
            icon: <LogOut aria-hidden />,
            onAction: () => setOpen('drain'),
          },
          {
            id: 'labels',
            label: m.controllerLabelsEdit,
            icon: <Tag aria-hidden />,
            onAction: () => setOpen('labels'),
          },
          {
            id: 'revoke',
            label: m.controllerRevoke,
            icon: <Unplug aria-hidden />,
            danger: true,
            onAction: () => setOpen('revoke'),
          },
        ]}
      />
      {Opened && <Opened controller={controller} onClose={() => setOpen(null)} />}
    </>
  )
}
