"""``changeover deployment``: list deployments, show one; plan, make and remove them in Azure."""

import click

from changeover.console.asking import Asking, asks_server
from changeover.console.output import show
from changeover.console.provisioning import apply_azure, plan_azure
from changeover.console.removing import pause, resume, rm
from changeover.console.server_link import segment
from changeover.console.taught import Taught


@click.group()
def deployment() -> None:
    """List deployments and show one; plan, make and remove them in Azure."""


deployment.add_command(plan_azure)
deployment.add_command(apply_azure)
deployment.add_command(rm)
deployment.add_command(pause)
deployment.add_command(resume)


@deployment.command("ls", cls=Taught, examples=("changeover deployment ls", "changeover deployment ls -o json"))
@asks_server
def ls(asking: Asking) -> None:
    """List deployments with their version, their account and the tasks they serve."""
    from changeover.api.inventory import DeploymentsAnswer
    from changeover.console.render_inventory import render_deployments

    show(asking.link.get("/api/v1/deployments"), DeploymentsAnswer, render=render_deployments, output=asking.output)


@deployment.command("show", cls=Taught, examples=("changeover deployment show gpt4o-prod-v1120",))
@click.argument("name", metavar="DEPLOYMENT")
@asks_server
def show_one(asking: Asking, name: str) -> None:
    """Show DEPLOYMENT: what it is, where it is called, what changes in its requests, which tasks name it."""
    from changeover.api.inventory import DeploymentView
    from changeover.console.render_inventory import render_deployment

    show(asking.link.get(f"/api/v1/deployments/{segment(name)}"), DeploymentView, render=render_deployment, output=asking.output)
