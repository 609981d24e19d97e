package main

import (
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"github.com/scorefn/scorefn/local/pack/azureapp"
)

// azureDeploy prints the commands that bring a package to Azure and call it there.
type azureDeploy struct {
	w      io.Writer
	app    azureapp.App
	plan   azureapp.Plan
	out    string
	sample string // a file with a request
}

func (d *azureDeploy) line(format string, args ...any) { fmt.Fprintf(d.w, format+"\n", args...) }

func (d *azureDeploy) print() {
	if d.plan.Name == "container" {
		d.container()
		return
	}
	settings, resources := d.settings(), d.resources()
	names := []string{"RG=scorefn", "LOCATION=westeurope", "APP=APP_NAME", "STORAGE=STORAGE_NAME"}
	for _, namespace := range []string{"BUS", "HUBS"} {
		if strings.Contains(strings.Join(slices.Concat(resources, settings), "\n"), "$"+namespace) {
			names = append(names, namespace+"=NAMESPACE")
		}
	}
	d.line("# choose the names, then:\n%s", strings.Join(names, " "))
	d.line("az group create --name $RG --location $LOCATION")
	d.line("az storage account create --name $STORAGE --resource-group $RG --location $LOCATION --sku Standard_LRS")
	d.create()
	for _, r := range resources {
		d.line("%s", r)
	}
	if len(settings) > 0 {
		d.line("az functionapp config appsettings set --name $APP --resource-group $RG --settings \\\n  %s", strings.Join(settings, " \\\n  "))
	}
	if strings.HasSuffix(d.out, "/") {
		d.line("(cd %s && func azure functionapp publish $APP --custom --no-build)", d.out)
	} else {
		d.line("az functionapp deployment source config-zip --resource-group $RG --name $APP --src %s", d.out)
		d.line("# or with Core Tools, from the files of --out FOLDER/: func azure functionapp publish $APP --custom --no-build")
	}
	for _, f := range d.app.Functions {
		d.function(f)
	}
}

func (d *azureDeploy) create() {
	const create = "az functionapp create --name $APP --resource-group $RG --storage-account $STORAGE --runtime custom "
	switch d.plan.Name {
	case "flex":
		d.line(create + "--runtime-version 1.0 \\\n  --flexconsumption-location $LOCATION --instance-memory 2048")
	case "consumption":
		d.line(create + "--os-type Linux --functions-version 4 \\\n  --consumption-plan-location $LOCATION")
	case "premium":
		d.line("az functionapp plan create --name $APP-plan --resource-group $RG --location $LOCATION --sku EP1 --is-linux true")
		d.line(create + "--os-type Linux --functions-version 4 \\\n  --plan $APP-plan")
	}
}

// container tells what an image needs, besides what it is made from.
func (d *azureDeploy) container() {
	from := d.out
	if !strings.HasSuffix(from, "/") {
		from = "app/"
		d.line("# app/ has the files of the zip: give --out app/ in place of a zip, or unpack it")
	}
	d.line("# in the Dockerfile, on Azure Functions' base image of version 4 or any with the Functions host:")
	d.line("ENV AzureWebJobsScriptRoot=/home/site/wwwroot FUNCTIONS_WORKER_RUNTIME=custom")
	d.line("COPY %s /home/site/wwwroot", from)
	var names []string
	if slices.ContainsFunc(d.app.Functions, func(f azureapp.Function) bool { return slices.Contains(f.Connections(), hostStorage) }) {
		names = append(names, hostStorage)
	}
	for _, s := range d.settings() {
		name, _, _ := strings.Cut(s, "=")
		names = append(names, name)
	}
	if len(names) > 0 {
		d.line("# in the container's environment: %s", strings.Join(names, ", "))
	}
}

// hostStorage is the setting of the storage account that the host itself works with.
const hostStorage = "AzureWebJobsStorage"

// reference is an app setting that stands for a name in a binding: %QUEUE%.
const reference = `%([^%]+)%`

// settings is the app settings that the functions need. The storage account is set when the app is created.
func (d *azureDeploy) settings() []string {
	var set []string
	references := regexp.MustCompile(reference)
	add := func(name, value string) {
		if !slices.ContainsFunc(set, func(s string) bool { return strings.HasPrefix(s, name+"=") }) {
			set = append(set, name+"="+value)
		}
	}
	for _, f := range d.app.Functions {
		for _, b := range f.Bindings {
			if b.Connection != "" && b.Connection != hostStorage {
				add(b.Connection, connectionString(b.Type))
			}
			for _, text := range []string{b.QueueName, b.TopicName, b.SubscriptionName, b.EventHubName, b.Path, b.Connection} {
				for _, m := range references.FindAllStringSubmatch(text, -1) {
					add(m[1], "VALUE")
				}
			}
		}
		if strings.EqualFold(f.Trigger().Type, "eventGridTrigger") && len(f.Bindings) == 1 { // its answers have no other place
			add("SCOREFN_OUTPUT", "https://$STORAGE.blob.core.windows.net/scored")
		}
		if t := f.Trigger(); strings.EqualFold(t.Type, "eventHubTrigger") && !strings.EqualFold(t.Cardinality, "one") || strings.EqualFold(t.Cardinality, "many") {
			add("SCOREFN_BATCH", batchRows) // the messages of a batch share runs, where the model's answers allow it
		}
	}
	return set
}

// batchRows is enough to make a run of many messages cheap, and little enough to leave the memory alone.
const batchRows = "16"

func connectionString(kind string) string {
	const keys = `"$(az %s namespace authorization-rule keys list --resource-group $RG --namespace-name $%s ` +
		`--name RootManageSharedAccessKey --query primaryConnectionString --output tsv)"`
	switch kind = strings.ToLower(kind); {
	case strings.HasPrefix(kind, "servicebus"):
		return fmt.Sprintf(keys, "servicebus", "BUS")
	case strings.HasPrefix(kind, "eventhub"):
		return fmt.Sprintf(keys, "eventhubs", "HUBS")
	}
	return "CONNECTION_STRING"
}

// function prints how the function is called, once it is deployed.
func (d *azureDeploy) function(f azureapp.Function) {
	const key = "KEY=$(az functionapp keys list --name $APP --resource-group $RG --query %s --output tsv)"
	const upload = "az storage blob upload --account-name $STORAGE --container-name %s --file %s"
	switch t := f.Trigger(); strings.ToLower(t.Type) {
	case "httptrigger":
		d.line("\n# call %s:", f.Name)
		header := `--header "x-functions-key: $KEY" `
		switch strings.ToLower(t.AuthLevel) {
		case "anonymous":
			header = ""
		case "admin":
			d.line(key, "masterKey")
		default:
			d.line(key, "functionKeys.default")
		}
		d.line("curl %shttps://$APP.azurewebsites.net%s --data @%s", header, d.path(f), d.sample)
	case "queuetrigger":
		d.line("\n# call %s:", f.Name)
		content := fmt.Sprintf("$(base64 -w0 %s)", d.sample)
		if encoding := d.app.Host.Extensions.Queues.Encoding; encoding != nil && *encoding == "none" {
			content = fmt.Sprintf("$(cat %s)", d.sample)
		}
		d.line(`az storage message put --account-name $STORAGE --queue-name %s --content "%s"`, t.QueueName, content)
	case "blobtrigger":
		d.line("\n# call %s:", f.Name)
		if strings.EqualFold(t.Source, "EventGrid") {
			d.line(key, "systemKeys.blobs_extension")
			d.subscribe(f.Name, containerOf(t.Path), fmt.Sprintf(`--endpoint `+
				`"https://$APP.azurewebsites.net/runtime/webhooks/blobs?functionName=Host.Functions.%s&code=$KEY"`, f.Name))
		}
		d.line(upload, containerOf(t.Path), d.sample)
	case "eventgridtrigger":
		d.line("\n# call %s:", f.Name)
		d.line("az role assignment create --role \"Storage Blob Data Contributor\" --scope " + storageID + " \\\n" +
			"  --assignee $(az functionapp identity assign --name $APP --resource-group $RG --query principalId --output tsv)")
		d.subscribe(f.Name, gridContainer, "--endpoint-type azurefunction \\\n"+
			"  --endpoint $(az functionapp show --name $APP --resource-group $RG --query id --output tsv)/functions/"+f.Name)
		d.line(upload, gridContainer, d.sample)
	}
}

const storageID = "$(az storage account show --name $STORAGE --resource-group $RG --query id --output tsv)"

// subscribe has Event Grid tell of the new blobs of a container.
func (d *azureDeploy) subscribe(name, container, endpoint string) {
	d.line("az eventgrid event-subscription create --name %s --included-event-types Microsoft.Storage.BlobCreated \\", name)
	d.line("  --source-resource-id %s \\", storageID)
	d.line("  --subject-begins-with /blobServices/default/containers/%s/ %s", container, endpoint)
}

// path is where the host takes a function's requests.
func (d *azureDeploy) path(f azureapp.Function) string {
	if prefix := strings.Trim(d.app.Host.RoutePrefix(), "/"); prefix != "" {
		return "/" + prefix + "/" + f.Route()
	}
	return "/" + f.Route()
}

// resources is the commands that make what the functions read from and write to, without repetition.
func (d *azureDeploy) resources() []string {
	var made []string
	add := func(format, name string) {
		if line := fmt.Sprintf(format, name); name != "" && !strings.ContainsAny(name, "%{") && !slices.Contains(made, line) {
			made = append(made, line)
		}
	}
	const (
		bus  = "az servicebus %s create --resource-group $RG --namespace-name $BUS "
		hubs = "az eventhubs eventhub create --resource-group $RG --namespace-name $HUBS "
	)
	const container = "az storage container create --account-name $STORAGE --name %s"
	for _, f := range d.app.Functions {
		for _, b := range f.Bindings {
			switch strings.ToLower(b.Type) {
			case "queue", "queuetrigger":
				add("az storage queue create --account-name $STORAGE --name %s", b.QueueName)
			case "blob", "blobtrigger":
				add(container, containerOf(b.Path))
			case "eventgridtrigger":
				add(container, gridContainer)
				add(container, "scored")
			case "servicebus", "servicebustrigger":
				add("az servicebus namespace create --resource-group $RG --location $LOCATION --name %s", "$BUS")
				add(fmt.Sprintf(bus, "queue")+"--name %s", b.QueueName)
				add(fmt.Sprintf(bus, "topic")+"--name %s", b.TopicName)
				if !strings.Contains(b.TopicName, "%") {
					add(fmt.Sprintf(bus, "topic subscription")+"--topic-name "+b.TopicName+" --name %s", b.SubscriptionName)
				}
			case "eventhub", "eventhubtrigger":
				add("az eventhubs namespace create --resource-group $RG --location $LOCATION --name %s", "$HUBS")
				add(hubs+"--name %s", b.EventHubName)
			}
		}
	}
	return made
}

// gridContainer is where the blobs appear that Event Grid tells of: none of the blob function's, which would score them a second time.
const gridContainer = "arrivals"

func containerOf(path string) string {
	name, _, _ := strings.Cut(path, "/")
	return name
}
