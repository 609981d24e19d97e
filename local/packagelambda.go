package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/scorefn/scorefn/local/pack"
)

// The limits of AWS Lambda (developer guide, "Lambda quotas") and of its runtime provided.al2023, whose C library is 2.34.
const (
	lambdaZip      = 50 << 20
	lambdaUnzipped = 250 << 20
	al2023         = "2.34"
)

// lambda makes a zip for provided.al2023: bootstrap, lib/, model/.
func (p *packaging) lambda(ctx context.Context, c *call) error {
	if p.arch != "amd64" && p.arch != "arm64" {
		return &exit{exitUsage, fmt.Errorf("--arch %s: AWS Lambda has amd64 and arm64", p.arch)}
	}
	var files pack.Files
	var err error
	if p.part == "all" || p.part == "function" {
		if err = p.addBootstrap(ctx, c, al2023, &files); err == nil {
			err = p.addModel(ctx, c, &files)
		}
	}
	if err == nil && (p.part == "all" || p.part == "layer") {
		err = p.addLibrary(ctx, c, &files)
	}
	if err != nil {
		return err
	}
	if len(files) == 0 {
		return &exit{exitUsage, fmt.Errorf("--part %s: expected all, function or layer", p.part)}
	}
	out := cmp.Or(p.out, filepath.Join("dist", "lambda-"+p.arch+".zip"))
	size, err := files.Size()
	if err != nil {
		return err
	}
	if size > lambdaUnzipped {
		return fmt.Errorf("%d MB unpacked, Lambda takes %d: deploy a container image, or a smaller model", size>>20, lambdaUnzipped>>20)
	}
	if strings.HasSuffix(out, "/") {
		if err := files.Dir(out); err != nil {
			return err
		}
		_, err := fmt.Fprintf(c.out, "%s  %d files, %.1f MB\n", out, len(files), float64(size)/1e6)
		return err
	}
	if err := files.Zip(out); err != nil {
		return err
	}
	info, err := os.Stat(out)
	if err != nil {
		return err
	}
	fmt.Fprintf(c.out, "%s  %d files, %.1f MB packed, %.1f MB unpacked\n\n", out, len(files), float64(info.Size())/1e6, float64(size)/1e6)
	p.howToDeploy(c, out, info.Size())
	return nil
}

func (p *packaging) howToDeploy(c *call, zip string, size int64) {
	if p.part == "layer" {
		fmt.Fprintf(c.out, "aws lambda publish-layer-version --layer-name onnxruntime --zip-file fileb://%s \\\n  --compatible-runtimes provided.al2023 --compatible-architectures %s\n", zip, awsArch(p.arch))
		return
	}
	code := "--zip-file fileb://" + zip
	if size > lambdaZip {
		fmt.Fprintf(c.out, "It is over %d MB, which Lambda takes only from S3:\naws s3 cp %s s3://BUCKET/scorefn.zip\n", lambdaZip>>20, zip)
		code = "--code S3Bucket=BUCKET,S3Key=scorefn.zip"
	}
	fmt.Fprintf(c.out, `aws lambda create-function --function-name scorefn --runtime provided.al2023 --handler bootstrap \
  --architectures %s --memory-size 1769 --timeout 29 --role ROLE_ARN %s
aws lambda create-function-url-config --function-name scorefn --auth-type AWS_IAM
aws lambda invoke --function-name scorefn --cli-binary-format raw-in-base64-out --payload file://model/digits/1/sample.json /dev/stdout
`, awsArch(p.arch), code)
}

func awsArch(goarch string) string {
	if goarch == "amd64" {
		return "x86_64"
	}
	return goarch
}

// addBootstrap builds the program, and makes sure that it starts where the C library is no newer than glibc.
func (p *packaging) addBootstrap(ctx context.Context, c *call, glibc string, files *pack.Files) error {
	file := p.program
	if file == "" {
		root, err := sourceRoot()
		if err != nil {
			return err
		}
		file = filepath.Join(p.tmp, "bootstrap")
		err = p.buildFor(ctx, c, program{
			root: root, from: "./adapters/lambda/bootstrap", to: file, tags: "lambda.norpc", glibc: glibc, host: "provided.al2023 has",
			tooNew: func(found string) error { return tooNewForLambda(file, found, glibc) },
		}, p.tmp)
		if err != nil {
			return err
		}
	}
	if err := p.starts(file, glibc, func(found string) error { return tooNewForLambda(file, found, glibc) }); err != nil {
		return err
	}
	*files = append(*files, pack.File{Name: "bootstrap", Source: file, Exec: true})
	return nil
}

func tooNewForLambda(file, found, most string) error {
	return fmt.Errorf("%s needs GLIBC %s, but provided.al2023 has %s: let this command build it (without --bootstrap, in the source), "+
		"or build it on Debian 12, Amazon Linux 2023 or another system that is not newer", file, found, most)
}
